// Package certs gives the server its certificates for HTTPS: from files, which
// are read again when they change, or from an authority that speaks ACME.
package certs
