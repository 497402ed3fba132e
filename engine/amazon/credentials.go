package amazon

import (
	"cmp"
	"context"
	"errors"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// Ambient is credentials where the SDK finds them: in the environment of the
// process, in shared files, or from the machine.
func Ambient(ctx context.Context) (aws.CredentialsProvider, error) {
	c, err := config.LoadDefaultConfig(ctx)
	return c.Credentials, err
}

// From is the credentials that an environment holds which is not the process's
// own: keys, a web identity with its role, or a profile of a file that takes on
// a role with others. What the machine may do is nobody's but the machine's.
func From(ctx context.Context, env map[string]string, region string, client *http.Client) (aws.CredentialsProvider, error) {
	o := sts.Options{Region: region, HTTPClient: client}
	if at := cmp.Or(env["AWS_ENDPOINT_URL_STS"], env["AWS_ENDPOINT_URL"]); at != "" {
		o.BaseEndpoint = &at
	}
	switch {
	case env["AWS_ACCESS_KEY_ID"] != "":
		return credentials.NewStaticCredentialsProvider(env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], env["AWS_SESSION_TOKEN"]), nil
	case env["AWS_WEB_IDENTITY_TOKEN_FILE"] != "" && env["AWS_ROLE_ARN"] != "":
		return webIdentity(o, env["AWS_ROLE_ARN"], env["AWS_WEB_IDENTITY_TOKEN_FILE"], env["AWS_ROLE_SESSION_NAME"]), nil
	case env["AWS_CONFIG_FILE"] != "":
		profile, err := config.LoadSharedConfigProfile(ctx, env["AWS_PROFILE"], func(o *config.LoadSharedConfigOptions) {
			o.ConfigFiles, o.CredentialsFiles = []string{env["AWS_CONFIG_FILE"]}, []string{}
		})
		if err != nil {
			return nil, err
		}
		return assumed(o, profile), nil
	}
	return nil, errors.New("the component has no AWS credentials of its own; name some in its cloud block")
}

func webIdentity(o sts.Options, role, file, session string) aws.CredentialsProvider {
	return stscreds.NewWebIdentityRoleProvider(sts.New(o), role, stscreds.IdentityTokenFile(file), func(w *stscreds.WebIdentityRoleOptions) {
		w.RoleSessionName = session
	})
}

// assumed takes on the role of a profile with what its source has.
func assumed(o sts.Options, profile config.SharedConfig) aws.CredentialsProvider {
	if source := profile.Source; source != nil && source.WebIdentityTokenFile != "" {
		o.Credentials = webIdentity(o, source.RoleARN, source.WebIdentityTokenFile, source.RoleSessionName)
	} else if source != nil {
		o.Credentials = credentials.StaticCredentialsProvider{Value: source.Credentials}
	}
	return stscreds.NewAssumeRoleProvider(sts.New(o), profile.RoleARN, func(a *stscreds.AssumeRoleOptions) {
		a.RoleSessionName = profile.RoleSessionName
		if profile.ExternalID != "" {
			a.ExternalID = &profile.ExternalID
		}
	})
}
