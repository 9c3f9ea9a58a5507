//! Numbers of arrivals while writers commit out of order.
