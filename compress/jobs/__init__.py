"""What each command does, from a request to a result: which run, which shards, which store."""
