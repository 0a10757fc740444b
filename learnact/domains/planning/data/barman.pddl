; A robot with two hands mixes drinks. A cocktail is two ingredients, shaken; a shaker has a mark for how full it is.
(define (domain barman)
  (:requirements :strips :typing)
  (:types
    hand level beverage dispenser container - object
    ingredient cocktail - beverage
    shot shaker - container)
  (:predicates
    (handempty ?h - hand) (holding ?h - hand ?c - container) (ontable ?c - container)
    (empty ?c - container) (clean ?c - container) (contains ?c - container ?b - beverage) (used ?c - container ?b - beverage)
    (shaker-level ?s - shaker ?l - level) (unshaked ?s - shaker) (shaked ?s - shaker)
    (dispenses ?d - dispenser ?i - ingredient) (shaker-empty-level ?s - shaker ?l - level) (next ?l - level ?m - level)
    (cocktail-part1 ?c - cocktail ?i - ingredient) (cocktail-part2 ?c - cocktail ?i - ingredient))

  (:action grasp
    :parameters (?h - hand ?c - container)
    :precondition (and (ontable ?c) (handempty ?h))
    :effect (and (holding ?h ?c) (not (ontable ?c)) (not (handempty ?h))))

  (:action leave
    :parameters (?h - hand ?c - container)
    :precondition (holding ?h ?c)
    :effect (and (ontable ?c) (handempty ?h) (not (holding ?h ?c))))

  (:action fill-shot
    :parameters (?s - shot ?i - ingredient ?h - hand ?g - hand ?d - dispenser)
    :precondition (and (holding ?h ?s) (handempty ?g) (dispenses ?d ?i) (empty ?s) (clean ?s))
    :effect (and (contains ?s ?i) (used ?s ?i) (not (empty ?s)) (not (clean ?s))))

  (:action refill-shot
    :parameters (?s - shot ?i - ingredient ?h - hand ?g - hand ?d - dispenser)
    :precondition (and (holding ?h ?s) (handempty ?g) (dispenses ?d ?i) (empty ?s) (used ?s ?i))
    :effect (and (contains ?s ?i) (not (empty ?s))))

  (:action empty-shot
    :parameters (?h - hand ?s - shot ?b - beverage)
    :precondition (and (holding ?h ?s) (contains ?s ?b))
    :effect (and (empty ?s) (not (contains ?s ?b))))

  (:action clean-shot
    :parameters (?s - shot ?b - beverage ?h - hand ?g - hand)
    :precondition (and (holding ?h ?s) (handempty ?g) (empty ?s) (used ?s ?b))
    :effect (and (clean ?s) (not (used ?s ?b))))

  (:action pour-shot-to-clean-shaker
    :parameters (?s - shot ?i - ingredient ?d - shaker ?h - hand ?l - level ?m - level)
    :precondition (and (holding ?h ?s) (contains ?s ?i) (empty ?d) (clean ?d) (shaker-level ?d ?l) (next ?l ?m))
    :effect (and (empty ?s) (contains ?d ?i) (unshaked ?d) (shaker-level ?d ?m)
                 (not (contains ?s ?i)) (not (empty ?d)) (not (clean ?d)) (not (shaker-level ?d ?l))))

  (:action pour-shot-to-used-shaker
    :parameters (?s - shot ?i - ingredient ?d - shaker ?h - hand ?l - level ?m - level)
    :precondition (and (holding ?h ?s) (contains ?s ?i) (unshaked ?d) (shaker-level ?d ?l) (next ?l ?m))
    :effect (and (empty ?s) (contains ?d ?i) (shaker-level ?d ?m) (not (contains ?s ?i)) (not (shaker-level ?d ?l))))

  (:action empty-shaker
    :parameters (?h - hand ?d - shaker ?b - cocktail ?l - level ?m - level)
    :precondition (and (holding ?h ?d) (contains ?d ?b) (shaked ?d) (shaker-level ?d ?l) (shaker-empty-level ?d ?m))
    :effect (and (empty ?d) (shaker-level ?d ?m) (not (shaked ?d)) (not (shaker-level ?d ?l)) (not (contains ?d ?b))))

  (:action clean-shaker
    :parameters (?h - hand ?g - hand ?d - shaker)
    :precondition (and (holding ?h ?d) (handempty ?g) (empty ?d))
    :effect (clean ?d))

  (:action shake
    :parameters (?b - cocktail ?i - ingredient ?j - ingredient ?d - shaker ?h - hand ?g - hand)
    :precondition (and (holding ?h ?d) (handempty ?g) (contains ?d ?i) (contains ?d ?j)
                       (cocktail-part1 ?b ?i) (cocktail-part2 ?b ?j) (unshaked ?d))
    :effect (and (shaked ?d) (contains ?d ?b) (not (unshaked ?d)) (not (contains ?d ?i)) (not (contains ?d ?j))))

  (:action pour-shaker-to-shot
    :parameters (?b - beverage ?s - shot ?h - hand ?d - shaker ?l - level ?m - level)
    :precondition (and (holding ?h ?d) (shaked ?d) (empty ?s) (clean ?s) (contains ?d ?b) (shaker-level ?d ?l) (next ?m ?l))
    :effect (and (contains ?s ?b) (shaker-level ?d ?m) (not (clean ?s)) (not (empty ?s)) (not (shaker-level ?d ?l)))))
