# A workspace that keeps logs, and alerts by e-mail where lines of them match
# a pattern too often.
# ISO 27001: A.5.24, A.8.15, A.8.16

locals {
  # How long each alert looks back, in the only words that Azure takes.
  windows = {
    for name, p in var.log_patterns :
    name => p.period_minutes < 60 ? "PT${p.period_minutes}M" : p.period_minutes < 1440 ? "PT${p.period_minutes / 60}H" : "P1D"
  }
}

resource "azurerm_log_analytics_workspace" "this" {
  name                = var.name
  resource_group_name = local.group
  location            = local.location
  sku                 = "PerGB2018"
  retention_in_days   = var.retention_days
  tags                = var.tags
}

resource "azurerm_monitor_action_group" "this" {
  name                = var.name
  resource_group_name = local.group
  short_name          = substr(var.name, 0, 12)
  tags                = var.tags

  dynamic "email_receiver" {
    for_each = toset(var.alert_emails)

    content {
      name                    = email_receiver.value
      email_address           = email_receiver.value
      use_common_alert_schema = true
    }
  }
}

# Tables that nothing has been written to yet are left out by isfuzzy, and the
# check of the query has to be as lenient.
resource "azurerm_monitor_scheduled_query_rules_alert_v2" "pattern" {
  for_each = var.log_patterns

  name                    = "${var.name}-${each.key}"
  resource_group_name     = local.group
  location                = local.location
  scopes                  = [azurerm_log_analytics_workspace.this.id]
  severity                = 2
  evaluation_frequency    = "PT5M"
  window_duration         = local.windows[each.key]
  auto_mitigation_enabled = true
  skip_query_validation   = true
  tags                    = var.tags

  criteria {
    query                   = "union isfuzzy=true Syslog, AppTraces, AppExceptions, ContainerLogV2, AzureDiagnostics | where * contains ${jsonencode(each.value.pattern)}"
    time_aggregation_method = "Count"
    operator                = "GreaterThanOrEqual"
    threshold               = each.value.threshold
  }

  action {
    action_groups = [azurerm_monitor_action_group.this.id]
  }
}
