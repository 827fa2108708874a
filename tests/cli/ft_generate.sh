# Continuing sequences: greedy, by draws, in company, and as a co-process.
M=$TESTS/golden/trainer/llama
cat >in <<'END'
{"input_ids":[5,9,17,40],"note":0.10}
{"input_ids":[3]}
{"input_ids":[46,46,46,12,8,30,30,7,1,22,21,20]}
{"input_ids":[5,9,17,40]}
END
echo '-- greedy, other members untouched'
ft-generate -m "$M" --max-new-tokens 12 in | tee greedy
echo '-- nothing depends on company or threads'
for how in '--batch 1' '--batch 2' '-j 1' '-j 3'; do ft-generate -q -m "$M" --max-new-tokens 12 $how in | cmp - greedy; done
echo '-- draws: the same from the same seed, others from another, equal prompts differ'
ft-generate -q -m "$M" --max-new-tokens 8 --temperature 1.5 --seed 7 in | tee drawn | grep -o '"output_ids.*'
ft-generate -q -m "$M" --max-new-tokens 8 --temperature 1.5 --seed 7 --batch 1 -j 1 in | cmp - drawn
ft-generate -q -m "$M" --max-new-tokens 8 --temperature 1.5 --seed 8 in | cmp -s - drawn && echo 'seed has no effect'
echo '-- the narrowest draw is the greedy one'
for how in '--top-k 1' '--top-p 0.001'; do ft-generate -q -m "$M" --max-new-tokens 12 --temperature 2 $how in | cmp - greedy; done
echo '-- stop tokens'
id=$(head -1 greedy | grep -o 'output_ids.*' | grep -o '[0-9]*' | sed -n 3p)
ft-generate -m "$M" --max-new-tokens 12 --stop-id "$id" in | sed -n 1p | grep -o '"output_ids.*'
ft-generate -m "$M" --max-new-tokens 0 in | sed -n 1p
echo '-- an adapter'
ft-generate -q -m "$M" --adapter "$M/adapter" --max-new-tokens 12 in | cmp -s - greedy && echo 'adapter has no effect'
ft-generate -q -m "$M" --adapter "$M/adapter" --max-new-tokens 4 in | grep -o '"output_ids.*'
echo '-- an answer before the next question'
coproc G { ft-generate -q -m "$M" --max-new-tokens 3; }
for ids in 5,9 3 7,7,7; do
    echo "{\"input_ids\":[$ids]}" >&"${G[1]}"
    read -r -t 20 -u "${G[0]}" answer && echo "$answer"
done
