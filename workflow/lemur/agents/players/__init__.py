"""Who plays: models on this machine, models behind a server, recorded and known answers."""
