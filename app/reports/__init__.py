"""Reports, one file each: every module of this folder that adds a page to `blueprint` is found by itself."""

from __future__ import annotations

import importlib
import pkgutil

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the pages of every module in this folder."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    from app.reports.blueprint import blueprint

    app.register_blueprint(blueprint)
