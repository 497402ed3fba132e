# A fake AWS is meant, at AWS_ENDPOINT_URL: with these keys the real one refuses.
provider "aws" {
  region            = "eu-west-1"
  access_key        = "test"
  secret_key        = "test"
  s3_use_path_style = true
}

variables {
  name       = "receipts"
  runtime    = "python3.12"
  handler    = "main.handle"
  source_zip = "tests/receipts.zip"
}

run "runs_code_that_only_its_owner_can_call" {
  assert {
    condition     = output.function_name == "receipts" && output.url == null
    error_message = "function is ${output.function_name} at ${jsonencode(output.url)}"
  }
  assert {
    condition     = aws_lambda_function.this.runtime == "python3.12" && aws_lambda_function.this.memory_size == 256 && aws_lambda_function.this.timeout == 30
    error_message = "function runs on ${aws_lambda_function.this.runtime} with ${aws_lambda_function.this.memory_size} MB for ${aws_lambda_function.this.timeout} seconds"
  }
  assert {
    condition     = output.role_id == aws_lambda_function.this.role
    error_message = "role is ${output.role_id}"
  }
}

run "may_only_write_to_its_own_log" {
  assert {
    condition     = jsondecode(aws_iam_role_policy.logs.policy).Statement[0].Resource == "${aws_cloudwatch_log_group.this.arn}:*"
    error_message = "policy is ${aws_iam_role_policy.logs.policy}"
  }
  assert {
    condition     = aws_cloudwatch_log_group.this.retention_in_days == 30 && aws_cloudwatch_log_group.this.name == "/aws/lambda/receipts"
    error_message = "log is ${aws_cloudwatch_log_group.this.name}, kept for ${aws_cloudwatch_log_group.this.retention_in_days} days"
  }
}

run "gets_an_address_when_public" {
  variables {
    public      = true
    runtime     = "nodejs22"
    environment = { CURRENCY = "EUR" }
  }

  assert {
    condition     = startswith(output.url, "https://")
    error_message = "address is ${output.url}"
  }
  assert {
    condition     = aws_lambda_function.this.runtime == "nodejs22.x" && one(aws_lambda_function.this.environment).variables.CURRENCY == "EUR"
    error_message = "function runs on ${aws_lambda_function.this.runtime}"
  }
}
