output "function_name" {
  description = "Name of the function; known when planning."
  value       = aws_lambda_function.this.function_name
}

output "function_id" {
  description = "Identifier of the function in the cloud (ARN)."
  value       = aws_lambda_function.this.arn
}

output "url" {
  description = "Address at which everyone can call the function; null where it is not public."
  value       = one(aws_lambda_function_url.public[*].function_url)
}

output "role_id" {
  description = "Identifier of what the function runs as (ARN of its role), to grant it more."
  value       = aws_iam_role.this.arn
}
