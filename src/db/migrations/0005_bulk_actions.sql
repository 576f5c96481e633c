ALTER TABLE "replay_items" RENAME TO "bulk_action_items";--> statement-breakpoint
ALTER TABLE "replays" RENAME TO "bulk_actions";--> statement-breakpoint
ALTER TABLE "failures" RENAME COLUMN "replay_id" TO "bulk_action_id";--> statement-breakpoint
ALTER TABLE "bulk_action_items" RENAME COLUMN "replay_id" TO "bulk_action_id";--> statement-breakpoint
ALTER TABLE "bulk_action_items" DROP CONSTRAINT "replay_items_state";--> statement-breakpoint
ALTER TABLE "bulk_actions" DROP CONSTRAINT "replays_action";--> statement-breakpoint
ALTER TABLE "bulk_actions" DROP CONSTRAINT "replays_state";--> statement-breakpoint
ALTER TABLE "bulk_action_items" DROP CONSTRAINT "replay_items_replay_id_replays_id_fk";
--> statement-breakpoint
ALTER TABLE "bulk_action_items" DROP CONSTRAINT "replay_items_order_id_orders_id_fk";
--> statement-breakpoint
ALTER TABLE "bulk_action_items" DROP CONSTRAINT "replay_items_failure_id_failures_id_fk";
--> statement-breakpoint
DROP INDEX "replay_items_once";--> statement-breakpoint
DROP INDEX "replay_items_pending";--> statement-breakpoint
ALTER TABLE "bulk_action_items" DROP CONSTRAINT "replay_items_replay_id_position_pk";--> statement-breakpoint
ALTER TABLE "bulk_action_items" ADD CONSTRAINT "bulk_action_items_bulk_action_id_position_pk" PRIMARY KEY("bulk_action_id","position");--> statement-breakpoint
ALTER TABLE "bulk_action_items" ADD CONSTRAINT "bulk_action_items_bulk_action_id_bulk_actions_id_fk" FOREIGN KEY ("bulk_action_id") REFERENCES "public"."bulk_actions"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "bulk_action_items" ADD CONSTRAINT "bulk_action_items_order_id_orders_id_fk" FOREIGN KEY ("order_id") REFERENCES "public"."orders"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "bulk_action_items" ADD CONSTRAINT "bulk_action_items_failure_id_failures_id_fk" FOREIGN KEY ("failure_id") REFERENCES "public"."failures"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "bulk_action_items_once" ON "bulk_action_items" USING btree ("bulk_action_id","order_id","failure_id");--> statement-breakpoint
CREATE INDEX "bulk_action_items_pending" ON "bulk_action_items" USING btree ("bulk_action_id","position") WHERE state = 'pending';--> statement-breakpoint
ALTER TABLE "bulk_action_items" ADD CONSTRAINT "bulk_action_items_state" CHECK (state in ('pending', 'requested', 'refused'));--> statement-breakpoint
UPDATE "bulk_actions" SET "action" = 'restart', "request" = jsonb_set("request", '{action}', '"restart"') WHERE "action" = 'replay';--> statement-breakpoint
UPDATE "failure_events" SET "type" = 'restart_requested' WHERE "type" = 'replay_requested';--> statement-breakpoint
UPDATE "operator_actions" SET "action" = CASE "action"
	WHEN 'replay_order' THEN 'restart_order'
	WHEN 'bulk_replay' THEN 'bulk_restart'
	WHEN 'bulk_replay_paused' THEN 'pause_bulk_action'
	WHEN 'bulk_replay_running' THEN 'resume_bulk_action'
	WHEN 'bulk_replay_cancelled' THEN 'cancel_bulk_action'
	ELSE "action" END;--> statement-breakpoint
UPDATE "commands" SET "body" = jsonb_set(
	CASE WHEN "body" ? 'replayId' THEN ("body" - 'replayId') || jsonb_build_object('bulkActionId', "body" -> 'replayId') ELSE "body" END,
	'{type}',
	to_jsonb(CASE "body" ->> 'type'
		WHEN 'cancelOrder' THEN 'cancel_order'
		WHEN 'decideApproval' THEN 'decide_approval'
		WHEN 'resolveFailure' THEN 'resolve_failure'
		WHEN 'settleCompensation' THEN 'settle_compensation'
		WHEN 'carrierUpdate' THEN 'update_shipment'
		WHEN 'verified' THEN 'verify_signup'
		WHEN 'subscribed' THEN 'subscribe_signup'
		WHEN 'start_replay' THEN 'start_bulk_action'
		WHEN 'replayChanged' THEN 'wake_bulk_action'
		ELSE "body" ->> 'type' END)) WHERE "body" ? 'type';--> statement-breakpoint
ALTER TABLE "bulk_actions" ADD CONSTRAINT "bulk_actions_action" CHECK (action in ('retry', 'cancel', 'restart'));--> statement-breakpoint
ALTER TABLE "bulk_actions" ADD CONSTRAINT "bulk_actions_state" CHECK (state in ('running', 'paused', 'cancelled', 'completed'));