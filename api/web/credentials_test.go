package web_test

import (
	"net/http"
	"testing"

	"github.com/cloudops-manager/cloudops/engine"
)

func TestCredentialsAreShownWithoutTheirSecrets(t *testing.T) {
	s := newSite(t)
	b := s.browser(engine.RoleViewer)
	b.get("/credentials", http.StatusOK).has("No credentials yet", "https://cloudops.example.com", "signs").lacks("Clouds accept HTTPS only")
	ok(t, s.access.PutCredential(t.Context(), engine.Principal{User: "ada"}, &engine.Credential{Name: "prod", Kind: engine.CredentialAWSStatic,
		Fields: map[string]string{"access_key_id": "AKIAAPPLY"}, Values: map[string]engine.Secret{"secret_access_key": "swordfish"},
		Plan: &engine.CredentialPart{Fields: map[string]string{"access_key_id": "AKIAPLAN"}, Values: map[string]engine.Secret{"secret_access_key": "swordfish"}}}))
	_, err := s.runs.Issuer.Rotate(t.Context(), engine.Principal{User: "ada"}, false)
	ok(t, err)
	b.get("/credentials", http.StatusOK).has("prod", "aws-static", "access_key_id = AKIAAPPLY", "access_key_id = AKIAPLAN", "secret_access_key", "signs from ").lacks("swordfish")
}
