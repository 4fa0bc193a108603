"""The demo desk: everything a newcomer needs to sign in and send an order, written through the rooms' own services."""
