# Taken from the input, not the output, which Terraform knows only after apply.
output "message" {
  description = "The greeting; known when planning."
  value       = terraform_data.message.input
}

output "id" {
  description = "Identity of the greeting; known only after apply."
  value       = terraform_data.message.id
}
