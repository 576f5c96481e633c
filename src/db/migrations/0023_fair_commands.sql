DROP INDEX "commands_due";--> statement-breakpoint
ALTER TABLE "commands" ADD COLUMN "owner" uuid;--> statement-breakpoint
CREATE INDEX "commands_due" ON "commands" USING btree ("owner","next_attempt_at","id") WHERE state = 'pending';