"""The engine `ortools`: a plan searched by OR-Tools' routing library (see `solver.ortools_routing.engine`)."""
