mock_provider "google" {
  mock_data "google_client_config" {
    defaults = { project = "my-project", region = "europe-west1" }
  }
}

variables {
  name         = "payments"
  alert_emails = ["ops@example.com"]
  log_patterns = { failed-login = { pattern = "textPayload:\"authentication failure\"", threshold = 5 } }
}

run "alerts_where_lines_match" {
  assert {
    condition     = google_monitoring_alert_policy.pattern["failed-login"].conditions[0].condition_threshold[0].threshold_value == 4
    error_message = "the alert comes too early or too late"
  }
  assert {
    condition     = google_logging_metric.pattern["failed-login"].filter == "textPayload:\"authentication failure\""
    error_message = "the alert looks for something else"
  }
  assert {
    condition     = google_logging_project_bucket_config.this.retention_days == 365
    error_message = "logs are kept for ${google_logging_project_bucket_config.this.retention_days} days"
  }
}

run "keeps_logs_without_anyone_to_alert" {
  variables {
    alert_emails = []
  }

  assert {
    condition     = output.topic_id == null
    error_message = "topic is ${jsonencode(output.topic_id)}"
  }
}

run "refuses_half_a_line" {
  command = plan

  variables {
    log_patterns = { a = { pattern = "x", threshold = 0.5 } }
  }

  expect_failures = [var.log_patterns]
}
