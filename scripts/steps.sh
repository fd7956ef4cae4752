# For scripts that pass in steps: each step's time, and at the end a line for each. To be sourced.

# Time that all processors were at work, and all time that there was, in ticks.
ticks() { awk '/^cpu / { print $2 + $3 + $4 + $7 + $8, $2 + $3 + $4 + $5 + $6 + $7 + $8 + $9 }' /proc/stat; }

report=() current="" begun=$SECONDS started=$(ticks)

# ended RESULT: notes the step that ends.
ended() {
  local from to busy
  read -r -a from <<<"$before"
  read -r -a to <<<"$(ticks)"
  busy=$(((100 * (to[0] - from[0])) / (to[1] - from[1] + 1)))
  report+=("$(printf '%6d s  %3d %%  %-6s  %s' $((SECONDS - since)) "$busy" "$1" "$current")")
  current=""
}

# step NAME COMMAND...
step() {
  current=$1 since=$SECONDS before=$(ticks)
  shift
  printf '\n== %s\n' "$current"
  "$@"
  ended passed
  printf '== %s s\n' $((SECONDS - since))
}

# Prints the report, also where a step has failed.
reported() {
  local code=$?
  # What runs beside the steps is not cut off: it may be installing.
  wait
  [ -z "$current" ] || ended FAILED
  printf '\n== time, share of the processors that worked, result, step\n'
  printf '%s\n' "${report[@]}"
  since=$begun before=$started current=total
  report=()
  [ "$code" = 0 ] && ended passed || ended FAILED
  printf '%s\n' "${report[@]}"
  exit "$code"
}
trap reported EXIT
