# Alarms cannot use the key that AWS keeps for topics, hence one of our own.
resource "aws_kms_key" "this" {
  count = var.encryption_key_id == null ? 1 : 0

  description         = "Logs and alerts of ${var.name}"
  enable_key_rotation = true
  policy              = local.key_policy
  tags                = var.tags
}

resource "aws_kms_alias" "this" {
  count = var.encryption_key_id == null ? 1 : 0

  name          = "alias/${var.name}-logs"
  target_key_id = aws_kms_key.this[0].key_id
}

locals {
  log_group_arn = "arn:${data.aws_partition.current.partition}:logs:${data.aws_region.current.name}:${local.account}:log-group:${var.name}"

  key_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "LetTheAccountDecideByItsRoles"
        Effect    = "Allow"
        Principal = { AWS = "arn:${data.aws_partition.current.partition}:iam::${local.account}:root" }
        Action    = "kms:*"
        Resource  = "*"
      },
      {
        Sid       = "LetTheLogGroupUseIt"
        Effect    = "Allow"
        Principal = { Service = "logs.${data.aws_region.current.name}.amazonaws.com" }
        Action    = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
        Resource  = "*"
        Condition = { ArnEquals = { "kms:EncryptionContext:aws:logs:arn" = local.log_group_arn } }
      },
      {
        Sid       = "LetAlarmsOfThisAccountUseIt"
        Effect    = "Allow"
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Action    = ["kms:Decrypt", "kms:GenerateDataKey*"]
        Resource  = "*"
        Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
      },
    ]
  })
}
