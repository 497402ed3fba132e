# A fake AWS is meant, at AWS_ENDPOINT_URL: with these keys the real one refuses.
provider "aws" {
  region            = "eu-west-1"
  access_key        = "test"
  secret_key        = "test"
  s3_use_path_style = true
}

variables {
  name         = "payments"
  alert_emails = ["ops@example.com"]
  log_patterns = {
    errors = { pattern = "ERROR", threshold = 10, period_minutes = 15 }
    denied = { pattern = "{ $.status = 403 }" }
  }
}

run "keeps_logs_for_a_year" {
  assert {
    condition     = aws_cloudwatch_log_group.this.retention_in_days == 365
    error_message = "logs are kept for ${aws_cloudwatch_log_group.this.retention_in_days} days"
  }
  assert {
    condition     = output.log_group_name == "payments" && strcontains(output.log_group_id, ":log-group:payments")
    error_message = "log group is ${output.log_group_name}, ${output.log_group_id}"
  }
}

run "encrypts_logs_and_alerts_with_a_key_that_changes" {
  assert {
    condition     = aws_cloudwatch_log_group.this.kms_key_id == aws_kms_key.this[0].arn && aws_sns_topic.alerts.kms_master_key_id == aws_kms_key.this[0].arn
    error_message = "keys are ${jsonencode([aws_cloudwatch_log_group.this.kms_key_id, aws_sns_topic.alerts.kms_master_key_id])}"
  }
  assert {
    condition     = aws_kms_key.this[0].enable_key_rotation
    error_message = "the key is never changed"
  }
}

run "alerts_by_mail_when_lines_match" {
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["errors"].threshold == 10 && aws_cloudwatch_metric_alarm.this["errors"].period == 900
    error_message = "alarm is at ${aws_cloudwatch_metric_alarm.this["errors"].threshold} in ${aws_cloudwatch_metric_alarm.this["errors"].period} seconds"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["denied"].threshold == 1 && aws_cloudwatch_metric_alarm.this["denied"].period == 300
    error_message = "alarm is at ${aws_cloudwatch_metric_alarm.this["denied"].threshold} in ${aws_cloudwatch_metric_alarm.this["denied"].period} seconds"
  }
  assert {
    condition     = alltrue([for a in aws_cloudwatch_metric_alarm.this : one(a.alarm_actions) == output.topic_id])
    error_message = "an alarm does not go to ${output.topic_id}"
  }
  assert {
    condition     = keys(aws_sns_topic_subscription.email) == ["ops@example.com"]
    error_message = "alerts go to ${jsonencode(keys(aws_sns_topic_subscription.email))}"
  }
}

run "lets_only_alarms_of_the_account_publish" {
  assert {
    condition     = jsondecode(aws_sns_topic_policy.alerts.policy).Statement[0].Condition.StringEquals["aws:SourceAccount"] == "123456789012"
    error_message = "policy is ${aws_sns_topic_policy.alerts.policy}"
  }
}

run "encrypts_with_a_key_of_ones_own" {
  command = plan

  variables {
    encryption_key_id = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  }

  assert {
    condition     = length(aws_kms_key.this) == 0 && endswith(aws_cloudwatch_log_group.this.kms_key_id, "555555555555")
    error_message = "logs are encrypted with ${aws_cloudwatch_log_group.this.kms_key_id}"
  }
}
