"""All text that a language model is sent: the tasks map and ans, the writing of programs, and a table as it is shown."""
