"""What a trial would have seen of the histories, and the endpoints estimated from that; it never sees an engine."""
