SELECT name, setting FROM pg_settings WHERE pending_restart ORDER BY name
