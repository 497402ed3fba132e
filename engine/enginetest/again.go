package enginetest

import (
	"os"
	"os/exec"
	"testing"
)

// onPostgres is the variable that lets a package's tests keep data in PostgreSQL.
const onPostgres = "CLOUDOPS_TEST_ON_POSTGRES"

// DatabaseURL is that of an empty database: SQLite in a file, or PostgreSQL where
// AgainOnPostgres runs the tests.
func DatabaseURL(t testing.TB, file string) string {
	t.Helper()
	if os.Getenv(onPostgres) != "" {
		return Postgres(t)
	}
	return "sqlite://" + file
}

// AgainOnPostgres runs all tests of the package again, on PostgreSQL. It is the
// body of a test of that package.
func AgainOnPostgres(t *testing.T) {
	t.Helper()
	if os.Getenv(onPostgres) != "" {
		return // this is that run
	}
	again := exec.Command(os.Args[0], "-test.timeout=10m")
	again.Env = append(os.Environ(), onPostgres+"=1", "CLOUDOPS_TEST_POSTGRES="+Postgres(t)) // one server for all
	if out, err := again.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
