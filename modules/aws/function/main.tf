# A function that runs code from a zip file, with a log of its own that does
# not grow forever and a role that may do nothing but write to it. It has an
# address only when it is made public.
#
# ISO 27001: A.5.15, A.8.3, A.8.15, A.8.24

locals {
  # Runtimes by the names they have on every cloud.
  runtimes = { "python3.12" = "python3.12", "nodejs22" = "nodejs22.x" }
}

resource "aws_lambda_function" "this" {
  function_name    = var.name
  role             = aws_iam_role.this.arn
  runtime          = local.runtimes[var.runtime]
  handler          = var.handler
  filename         = var.source_zip
  source_code_hash = filebase64sha256(var.source_zip)
  memory_size      = var.memory_mb
  timeout          = var.timeout_seconds
  tags             = var.tags

  environment {
    variables = var.environment
  }

  # Code that starts before the log is there and the role may write to it would
  # lose its first lines.
  depends_on = [aws_iam_role_policy.logs]
}

# The cloud writes to the group of this name.
resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_days
  tags              = var.tags
}

resource "aws_iam_role" "this" {
  name = "${var.name}-function"
  tags = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "logs" {
  name = "logs"
  role = aws_iam_role.this.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = "${aws_cloudwatch_log_group.this.arn}:*"
    }]
  })
}

# The provider adds what lets everyone call the address; AWS asks for two
# permissions, of which a provider before 6.29 adds only the first.
resource "aws_lambda_function_url" "public" {
  count = var.public ? 1 : 0

  function_name      = aws_lambda_function.this.function_name
  authorization_type = "NONE"
}
