package amazon

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
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
// own: keys, or a web identity with its role; without either, the role of the
// machine.
func From(env map[string]string, region string) (aws.CredentialsProvider, error) {
	if id := env["AWS_ACCESS_KEY_ID"]; id != "" {
		return credentials.NewStaticCredentialsProvider(id, env["AWS_SECRET_ACCESS_KEY"], env["AWS_SESSION_TOKEN"]), nil
	}
	if file, role := env["AWS_WEB_IDENTITY_TOKEN_FILE"], env["AWS_ROLE_ARN"]; file != "" && role != "" {
		o := sts.Options{Region: region}
		for _, name := range []string{"AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL"} {
			if at := env[name]; at != "" {
				o.BaseEndpoint = &at
				break
			}
		}
		return stscreds.NewWebIdentityRoleProvider(sts.New(o), role, stscreds.IdentityTokenFile(file), func(w *stscreds.WebIdentityRoleOptions) {
			w.RoleSessionName = env["AWS_ROLE_SESSION_NAME"]
		}), nil
	}
	return ec2rolecreds.New(), nil
}
