"""Great Expectations, kept at arm's length: rows in, ids of the rows that break a rule out.

Its results hold raw values, and its import takes seconds and 200 MB: it is imported where it is used, by one task only,
and nothing but ids and counts leaves this module.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from typing import Any

from .suites import QualityError, Suite


class Judge:
    """Checks frames against suites. Made once per extraction."""

    def __init__(self) -> None:
        os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read at import; the library would call home
        logging.getLogger("great_expectations").setLevel(logging.ERROR)  # its import alone tells 200 lines
        import great_expectations
        from great_expectations.data_context.types.base import ProgressBarsConfig

        self._gx = great_expectations
        self._context = great_expectations.get_context(mode="ephemeral")
        self._context.variables.progress_bars = ProgressBarsConfig(globally=False)
        asset = self._context.data_sources.add_pandas("ledger").add_dataframe_asset("rows")
        self._batches = asset.add_batch_definition_whole_dataframe("slice")

    def failing(self, suite: Suite, rows: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
        """By the name of each rule, the ids of the rows that break it. Raises QualityError for a broken rule."""
        import pandas

        frame = pandas.DataFrame.from_records([dict(row) for row in rows])
        expectations = [
            {"type": rule.type, "kwargs": dict(rule.kwargs), "meta": {"rule": rule.name}} for rule in suite.rules
        ]
        batch = self._batches.get_batch(batch_parameters={"dataframe": frame})
        try:
            results = batch.validate(
                self._gx.ExpectationSuite(name=suite.name, expectations=expectations),
                result_format={
                    "result_format": "COMPLETE",
                    "unexpected_index_column_names": ["id"],
                    "return_unexpected_index_query": False,
                },
            ).results
        except Exception as error:  # its exceptions share no base class, and their text may hold values
            raise QualityError(
                f"The suite {suite.name} could not be computed ({type(error).__name__}): compare its types and columns"
                " with those that other suites use."
            ) from None
        found = {result.expectation_config.meta["rule"]: _ids(suite, result) for result in results}
        if missing := [rule.name for rule in suite.rules if rule.name not in found]:
            raise QualityError(f"The suite {suite.name} gave no result for: {', '.join(missing)}.")
        return found


def _ids(suite: Suite, result: Any) -> list[str]:
    if result.success:
        return []
    places = result.result.get("unexpected_index_list")
    if not places:  # a rule that could not be computed must not look like one that nobody breaks
        rule = result.expectation_config.meta["rule"]
        raise QualityError(
            f"The rule “{rule}” of the suite {suite.name} could not be computed: compare its type, kwargs and columns"
            " with those that other suites use."
        )
    return sorted({str(place["id"]) for place in places})
