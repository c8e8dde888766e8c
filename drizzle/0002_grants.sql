CREATE TABLE "grants" (
	"token_hash" text PRIMARY KEY NOT NULL,
	"tenant_id" text NOT NULL,
	"settings" json,
	"expires_at_ms" bigint NOT NULL
);
--> statement-breakpoint
CREATE INDEX "grants_expiry" ON "grants" USING btree ("expires_at_ms");