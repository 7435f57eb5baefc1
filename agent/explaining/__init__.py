"""Why an item of a kept turn stands where it stands, or does not stand there: run again, one thing left out."""
