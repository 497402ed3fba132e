# A fake AWS is meant, at AWS_ENDPOINT_URL: with these keys the real one refuses.
provider "aws" {
  region            = "eu-west-1"
  access_key        = "test"
  secret_key        = "test"
  s3_use_path_style = true
}

variables {
  name           = "payments"
  network_id     = "vpc-11111111"
  subnet_ids     = ["subnet-11111111", "subnet-22222222"]
  node_count_max = 5
}

run "network" {
  module {
    source = "./tests/network"
  }
}

run "makes_a_cluster_with_a_private_endpoint" {
  variables {
    network_id = run.network.network_id
    subnet_ids = run.network.subnet_ids
  }

  assert {
    condition     = output.cluster_name == "payments" && endswith(output.cluster_id, ":cluster/payments") && startswith(output.endpoint, "https://") && output.ca_certificate != ""
    error_message = "cluster is ${output.cluster_name}, ${output.cluster_id} at ${output.endpoint}"
  }
  assert {
    condition     = one(aws_eks_cluster.this.vpc_config).endpoint_private_access && !one(aws_eks_cluster.this.vpc_config).endpoint_public_access
    error_message = "endpoint is ${jsonencode(aws_eks_cluster.this.vpc_config)}"
  }
  assert {
    condition     = aws_vpc_security_group_ingress_rule.endpoint.cidr_ipv4 == "10.30.0.0/16"
    error_message = "the endpoint is open to ${aws_vpc_security_group_ingress_rule.endpoint.cidr_ipv4}"
  }
}

run "encrypts_secrets_and_logs_the_control_plane" {
  variables {
    network_id = run.network.network_id
    subnet_ids = run.network.subnet_ids
  }

  assert {
    condition     = one(one(aws_eks_cluster.this.encryption_config).provider).key_arn == aws_kms_key.this[0].arn && aws_kms_key.this[0].enable_key_rotation
    error_message = "secrets are encrypted by ${jsonencode(aws_eks_cluster.this.encryption_config)}"
  }
  assert {
    condition     = contains(aws_eks_cluster.this.enabled_cluster_log_types, "audit") && aws_cloudwatch_log_group.this.retention_in_days == 365
    error_message = "logs are ${jsonencode(aws_eks_cluster.this.enabled_cluster_log_types)}"
  }
}

run "runs_machines_with_encrypted_disks" {
  variables {
    network_id = run.network.network_id
    subnet_ids = run.network.subnet_ids
  }

  assert {
    condition     = aws_eks_node_group.this.subnet_ids == toset(run.network.subnet_ids)
    error_message = "machines are in ${jsonencode(aws_eks_node_group.this.subnet_ids)}"
  }
  assert {
    condition     = one(aws_eks_node_group.this.scaling_config) == { min_size = 2, desired_size = 2, max_size = 5 }
    error_message = "there are ${jsonencode(aws_eks_node_group.this.scaling_config)}"
  }
  assert {
    condition     = tobool(one(one(aws_launch_template.node.block_device_mappings).ebs).encrypted) && one(aws_launch_template.node.metadata_options).http_tokens == "required"
    error_message = "a disk is not encrypted, or metadata can be read without a token"
  }
}
