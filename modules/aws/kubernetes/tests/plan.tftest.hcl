mock_provider "aws" {
  mock_data "aws_subnet" {
    defaults = { vpc_id = "vpc-11111111", map_public_ip_on_launch = false }
  }
  mock_data "aws_vpc" {
    defaults = { cidr_block = "10.30.0.0/16" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
}

variables {
  name       = "payments"
  network_id = "vpc-11111111"
  subnet_ids = ["subnet-11111111", "subnet-22222222"]
}

run "opens_the_endpoint_to_named_blocks" {
  command = plan

  variables {
    public_endpoint_cidrs = ["198.51.100.0/24"]
  }

  assert {
    condition     = one(aws_eks_cluster.this.vpc_config).endpoint_public_access && one(aws_eks_cluster.this.vpc_config).public_access_cidrs == toset(["198.51.100.0/24"])
    error_message = "endpoint is ${jsonencode(aws_eks_cluster.this.vpc_config)}"
  }
}

run "takes_machines_with_arm_processors" {
  command = plan

  variables {
    node_size = "m7g.large"
  }

  assert {
    condition     = aws_eks_node_group.this.ami_type == "AL2023_ARM_64_STANDARD" && aws_eks_node_group.this.instance_types == tolist(["m7g.large"])
    error_message = "machines are ${jsonencode(aws_eks_node_group.this.instance_types)} with ${aws_eks_node_group.this.ami_type}"
  }
}

run "takes_machines_by_the_names_of_every_cloud" {
  command = plan

  assert {
    condition     = aws_eks_node_group.this.ami_type == "AL2023_x86_64_STANDARD" && aws_eks_node_group.this.instance_types == tolist(["t3.medium"])
    error_message = "machines are ${jsonencode(aws_eks_node_group.this.instance_types)} with ${aws_eks_node_group.this.ami_type}"
  }
}

run "leaves_machines_that_an_autoscaler_asked_for" {
  command = plan

  override_data {
    target = data.aws_autoscaling_groups.nodes[0]
    values = { names = ["eks-nodes-1"] }
  }
  override_data {
    target = data.aws_autoscaling_group.nodes[0]
    values = { desired_capacity = 4 }
  }

  variables {
    node_count_max = 5
  }

  assert {
    condition     = one(aws_eks_node_group.this.scaling_config).desired_size == 4
    error_message = "there are ${one(aws_eks_node_group.this.scaling_config).desired_size} machines"
  }
}

run "encrypts_with_a_key_of_ones_own" {
  command = plan

  variables {
    encryption_key_id = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  }

  assert {
    condition     = length(aws_kms_key.this) == 0 && one(one(aws_eks_cluster.this.encryption_config).provider).key_arn == var.encryption_key_id
    error_message = "the key is not used"
  }
}

run "refuses_a_subnet_of_another_network" {
  command = plan

  override_data {
    target = data.aws_subnet.this[0]
    values = { vpc_id = "vpc-22222222" }
  }

  expect_failures = [data.aws_subnet.this]
}

run "refuses_a_subnet_that_makes_machines_public" {
  command = plan

  override_data {
    target = data.aws_subnet.this[0]
    values = { vpc_id = "vpc-11111111", map_public_ip_on_launch = true }
  }

  expect_failures = [data.aws_subnet.this]
}

run "refuses_fewer_machines_at_most_than_at_least" {
  command = plan

  variables {
    node_count     = 3
    node_count_max = 2
  }

  expect_failures = [aws_eks_node_group.this]
}

run "refuses_a_name_with_capitals" {
  command = plan

  variables {
    name = "Payments"
  }

  expect_failures = [var.name]
}

run "refuses_a_version_that_is_a_word" {
  command = plan

  variables {
    kubernetes_version = "latest"
  }

  expect_failures = [var.kubernetes_version]
}

run "refuses_to_stand_in_one_zone" {
  command = plan

  variables {
    subnet_ids = ["subnet-11111111"]
  }

  expect_failures = [var.subnet_ids]
}

run "refuses_a_size_it_does_not_know" {
  command = plan

  variables {
    node_size = "gigantic"
  }

  expect_failures = [var.node_size]
}

run "refuses_part_of_a_machine" {
  command = plan

  variables {
    node_count = 1.5
  }

  expect_failures = [var.node_count]
}

run "refuses_more_machines_than_the_cloud_does" {
  command = plan

  variables {
    node_count_max = 1000
  }

  expect_failures = [var.node_count_max]
}

run "refuses_a_block_that_is_none" {
  command = plan

  variables {
    public_endpoint_cidrs = ["198.51.100.7"]
  }

  expect_failures = [var.public_endpoint_cidrs]
}
