"""The ground of all pages and APIs: protocol, guard, operations, bodies, templates, health, metrics, OpenAPI."""
