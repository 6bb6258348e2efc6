"""What all pages and APIs share: bodies, templates, health, metrics, the OpenAPI document."""
