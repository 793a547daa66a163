"""Data quality: suites of expectations, kept as data, over the records that an extraction brought."""

from .run import Checked, check_quality
from .suites import QualityError

__all__ = ["Checked", "QualityError", "check_quality"]
