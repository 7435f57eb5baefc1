"""The ways people reach Vouchrec: the browser (app), the network (api) and the terminal (cli)."""
