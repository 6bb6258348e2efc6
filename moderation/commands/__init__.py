"""The operator's commands that stand together; `__main__` names them all."""
