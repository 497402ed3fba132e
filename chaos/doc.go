// Package chaos tortures real processes of CloudOps Manager: it kills, stops,
// upgrades and starves them while runs are under way, lets them rest, and then
// checks that nothing was lost and that nothing ran twice. All of it is in the
// tests; `make chaos` runs them for as long as one likes.
package chaos
