// Package egress is the server's way out to addresses that its users name:
// sources of modules, receivers of webhooks, issuers of identities. It reaches
// public hosts, and others only where the operator says so.
//
// An address is judged when a connection to it is made, after its name was
// looked up, so that a name cannot lead somewhere else afterwards.
package egress
