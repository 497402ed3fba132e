output "log_group_id" {
  description = "Identifier of the workspace in the cloud."
  value       = azurerm_log_analytics_workspace.this.id
}

output "log_group_name" {
  description = "Name of the workspace; known when planning."
  value       = azurerm_log_analytics_workspace.this.name
}

output "topic_id" {
  description = "Identifier of the action group that alerts go to."
  value       = azurerm_monitor_action_group.this.id
}
