"""The translator: AWS's wire protocols and shapes in front of server/operations; decides nothing."""
