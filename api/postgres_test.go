package api

import (
	"testing"

	"github.com/cloudops-manager/cloudops/engine/enginetest"
)

// onPostgres is the variable that lets systems keep their data in PostgreSQL.
const onPostgres = "CLOUDOPS_TEST_API_POSTGRES"

// TestOnPostgreSQL runs those tests again whose outcome rests on the database.
func TestOnPostgreSQL(t *testing.T) {
	t.Setenv("CLOUDOPS_TEST_POSTGRES", enginetest.Postgres(t)) // one server for all
	t.Setenv(onPostgres, "1")
	tests := map[string]func(*testing.T){
		"routes": TestEachRouteTakesWhatTheTableSays, "tokens": TestTokens, "users": TestUsers, "session": TestBrowserSession,
		"idempotency": TestIdempotencyKey, "under way": TestRequestThatIsUnderWayIsNotMadeTwice,
		"stacks": TestStackComesAndGoes, "pages": TestStacksArePaged, "revisions": TestRevisionComesInThreeForms,
		"credentials": TestCredentialsAreWriteOnly, "schedules": TestSchedules,
		"run": TestRunFromPlanToApplied, "decisions": TestDecisions, "runs": TestRunsAreListedNewestFirst, "waiting": TestSecondChangingRunWaits,
		"watch": TestWatchRunSeesEachChangeToTheEnd, "fencing": TestRunnerTokenIsGoodForItsAttemptOnly,
		"log": TestLogIsFollowedLive, "ranges": TestLogByRange,
		"backend": TestStateBackend, "versions": TestStateVersions, "locks": TestConcurrentLocksHaveOneWinner, "terraform": TestPeopleUseTheBackendWithTerraform,
		"unlock": TestUnlockOfAStepMayComeTwice, "slow": TestSlowWriteOfAnAttemptThatWasGivenUpMeanwhile, "recover": TestStateOfAnInterruptedApplyIsRecovered,
		"hours": TestApplyOfSevenHoursRenewsAndWritesItsState, "play": TestPlayThatWasInterruptedKeepsTheNextRunOut,
	}
	for name, test := range tests {
		t.Run(name, test)
	}
}
