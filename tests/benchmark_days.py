"""Small instances and rows for the tests of the benchmarks."""

from pathlib import Path
from typing import Any

from data.synthetic import FleetSpec, synthetic_problem

SQUARE = """SQUARE

VEHICLE
NUMBER     CAPACITY
   2          20

CUSTOMER
CUST NO.  XCOORD.   YCOORD.    DEMAND   READY TIME  DUE DATE   SERVICE   TIME

    0      0          0          0          0        100          0
    1      1          1         10          0         90          5
    2      1          0         10         20         30          5
    3      0          2         10          0        120          5
"""
"""Three customers round a depot; two fit into a vehicle. Distances: 0-1 and 1-2 etc. are worked out in the tests."""


def square_file(folder: Path) -> Path:
    path = folder / "SQUARE.txt"
    path.write_text(SQUARE, encoding="utf-8")
    return path


def flat_day(orders: int = 25, engineers: int = 3) -> dict[str, Any]:
    """Hard windows, flat skills, more work than capacity, and a kit for each order, of which engineers carry six."""
    document = synthetic_problem(FleetSpec(orders=orders, engineers=engineers, tightness=1.3, seed=2))
    for engineer in document["engineers"]:
        engineer["parts"] = {"kit": 6}
    for order in document["work_orders"]:
        order["parts"] = {"kit": 1}
    return document
