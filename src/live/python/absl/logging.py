"""Stands in for absl.logging: Keras logs a few sentences, and the standard library can do that."""

import logging

_logger = logging.getLogger("absl")
debug, info, error = _logger.debug, _logger.info, _logger.error
warning, exception = _logger.warning, _logger.exception
