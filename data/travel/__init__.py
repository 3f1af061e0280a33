"""Travel times: geodesic or given matrices, stretched by time-of-day traffic."""

from data.travel.provider import ProblemTravel, problem_travel
from data.travel.traffic import TrafficClock

__all__ = ["ProblemTravel", "TrafficClock", "problem_travel"]
