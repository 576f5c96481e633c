ALTER TABLE "orders" ADD COLUMN "cancellation_actor" text;--> statement-breakpoint
-- Of those whose command is still kept.
UPDATE "orders" SET "cancellation_actor" = "latest"."actor" FROM (
  SELECT DISTINCT ON ("workflow_id") "workflow_id", "body" #>> '{message,actor}' AS "actor"
  FROM "commands" WHERE "body" ->> 'type' IN ('cancel_order', 'cancelOrder') ORDER BY "workflow_id", "id" DESC
) AS "latest" WHERE "latest"."workflow_id" = 'order/' || "orders"."id" AND "orders"."cancellation_reason" IS NOT NULL;