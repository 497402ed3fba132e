# A fake AWS is meant, at AWS_ENDPOINT_URL: with these keys the real one refuses.
provider "aws" {
  region            = "eu-west-1"
  access_key        = "test"
  secret_key        = "test"
  s3_use_path_style = true
}

variables {
  name        = "payments-api-key"
  description = "Key of the payment provider"
  readers     = ["arn:aws:iam::123456789012:role/receipts"]
}

run "makes_a_value_up" {
  assert {
    condition     = can(regex("^[a-z0-9]{40}$", nonsensitive(aws_secretsmanager_secret_version.this.secret_string)))
    error_message = "the value has ${nonsensitive(length(aws_secretsmanager_secret_version.this.secret_string))} characters, or others than letters and digits"
  }
  assert {
    condition     = aws_secretsmanager_secret.this.recovery_window_in_days == 7
    error_message = "the secret can be brought back for ${aws_secretsmanager_secret.this.recovery_window_in_days} days"
  }
}

run "lets_readers_read_and_nothing_else" {
  assert {
    condition     = jsondecode(aws_secretsmanager_secret_policy.readers[0].policy).Statement[0].Action == ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"]
    error_message = "policy is ${aws_secretsmanager_secret_policy.readers[0].policy}"
  }
  assert {
    condition     = aws_secretsmanager_secret_policy.readers[0].block_public_policy
    error_message = "a policy may open the secret to everyone"
  }
}

run "keeps_the_value_it_made_up" {
  assert {
    condition     = output.version == run.makes_a_value_up.version
    error_message = "the value was replaced"
  }
}

run "takes_a_value_that_is_given" {
  variables {
    value         = "hunter2"
    readers       = []
    recovery_days = 0
  }

  assert {
    condition     = nonsensitive(aws_secretsmanager_secret_version.this.secret_string) == "hunter2"
    error_message = "the given value is not what is kept"
  }
  assert {
    condition     = output.version != run.makes_a_value_up.version
    error_message = "version is still ${output.version}"
  }
  assert {
    condition     = length(aws_secretsmanager_secret_policy.readers) == 0
    error_message = "there is a policy for readers"
  }
}

run "encrypts_with_a_key_of_ones_own" {
  command = plan

  variables {
    encryption_key_id = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  }

  assert {
    condition     = endswith(aws_secretsmanager_secret.this.kms_key_id, "555555555555")
    error_message = "the key is not used"
  }
}
