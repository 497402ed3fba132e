// Package chaos tortures real processes of CloudOps Manager: it kills, stops,
// upgrades and starves them while runs are under way, lets them rest, and then
// checks that nothing was lost and that nothing ran twice. All of it is in the
// tests. `make chaos` runs them for ten minutes a pair of databases, or as long as
// one likes. With all other tests they run for one minute a pair, with a fixed seed:
// that is what fits into CI, and it does not reach the long outages.
package chaos
