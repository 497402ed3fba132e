mock_provider "aws" {}

variables {
  name = "payments"
}

run "refuses_a_name_with_capitals" {
  command = plan

  variables {
    name = "Payments"
  }

  expect_failures = [var.name]
}

run "refuses_days_that_the_cloud_does_not_offer" {
  command = plan

  variables {
    retention_days = 100
  }

  expect_failures = [var.retention_days]
}

run "refuses_an_address_that_is_none" {
  command = plan

  variables {
    alert_emails = ["ops"]
  }

  expect_failures = [var.alert_emails]
}

run "refuses_an_alert_without_a_pattern" {
  command = plan

  variables {
    log_patterns = { errors = { pattern = "" } }
  }

  expect_failures = [var.log_patterns]
}

run "refuses_an_alert_for_no_line" {
  command = plan

  variables {
    log_patterns = { errors = { pattern = "ERROR", threshold = 0 } }
  }

  expect_failures = [var.log_patterns]
}

run "refuses_to_count_for_more_than_a_day" {
  command = plan

  variables {
    log_patterns = { errors = { pattern = "ERROR", period_minutes = 2000 } }
  }

  expect_failures = [var.log_patterns]
}
