"""How this project starts other processes: each of them ends with the process that started it, even if that one is killed."""
