"""Sign-in at the page: `vouchrec serve --auth`."""
