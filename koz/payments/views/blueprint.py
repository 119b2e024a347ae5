"""The blueprint that all addresses of payments share."""

from flask import Blueprint

bp = Blueprint("payments", __name__)
