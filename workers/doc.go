// Package workers hands steps to the processes that carry them out: queues on
// Redis, the relay that fills them, the servers that empty them, and the loops
// that sweep up and that fire schedules. The database is the truth; all that
// Redis holds can be lost and is handed over again.
package workers
