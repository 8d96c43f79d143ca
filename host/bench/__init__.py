"""How fast it is: the gateware's clocks beside the best CPU code, on the same films, user and k."""
