package web

import (
	"maps"
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"

	"github.com/cloudops-manager/cloudops/engine"
)

// credentialsView is all that the page of credentials shows.
type credentialsView struct {
	frame
	all     []*engine.Credential
	issuer  *engine.Issuer
	keys    []*engine.IssuerKey
	signing string // identifier of the key that signs
}

func (p *Pages) credentials(c *gin.Context) error {
	v := credentialsView{frame: p.frame(c, "Credentials"), issuer: p.Runs.Issuer}
	page := engine.Everything()
	within := engine.PrincipalFrom(c.Request.Context()).Within(engine.MayRead)
	page.Within = &within
	var err error
	if v.all, err = p.Store.Credentials(c.Request.Context(), page); err != nil {
		return err
	}
	if v.keys, err = v.issuer.Keys(c.Request.Context()); err != nil {
		return err
	}
	v.signing = engine.Signing(v.keys, v.now).ID
	p.render(c, http.StatusOK, credentialsPage(v))
	return nil
}

// keyState says what a published key is for.
func (v credentialsView) keyState(k *engine.IssuerKey) string {
	switch {
	case k.ID == v.signing:
		return "signs"
	case k.SignsAt.After(v.now):
		return "signs from " + k.SignsAt.Format("2006-01-02 15:04 MST")
	default:
		return "published for tokens that it signed"
	}
}

func fieldLines(fields map[string]string) (lines []string) {
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		lines = append(lines, name+" = "+fields[name])
	}
	return lines
}
