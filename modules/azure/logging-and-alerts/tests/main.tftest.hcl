mock_provider "azurerm" {}

variables {
  name         = "payments"
  alert_emails = ["ops@example.com"]
  log_patterns = { failed-login = { pattern = "authentication failure", threshold = 5 } }
  location     = "westeurope"
}

run "alerts_where_lines_match" {
  command = plan

  assert {
    condition     = azurerm_monitor_scheduled_query_rules_alert_v2.pattern["failed-login"].criteria[0].threshold == 5
    error_message = "the alert comes too early or too late"
  }
  assert {
    condition     = endswith(azurerm_monitor_scheduled_query_rules_alert_v2.pattern["failed-login"].criteria[0].query, "contains \"authentication failure\"")
    error_message = "the alert looks for something else"
  }
  assert {
    condition     = azurerm_log_analytics_workspace.this.retention_in_days == 365
    error_message = "logs are kept for ${azurerm_log_analytics_workspace.this.retention_in_days} days"
  }
}

run "says_hours_and_a_day_as_azure_does" {
  command = plan

  variables {
    log_patterns = { a = { pattern = "x", period_minutes = 1440 }, b = { pattern = "x", period_minutes = 120 } }
  }

  assert {
    condition     = [for a in azurerm_monitor_scheduled_query_rules_alert_v2.pattern : a.window_duration] == ["P1D", "PT2H"]
    error_message = "windows are other ones"
  }
}

run "refuses_a_period_that_azure_has_not" {
  command = plan

  variables {
    log_patterns = { a = { pattern = "x", period_minutes = 7 } }
  }

  expect_failures = [var.log_patterns]
}
